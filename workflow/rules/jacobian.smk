rule jacobian:
    input:
        unpack(plan.inputs("jacobian")),
        recipe=plan.recipe("jacobian"),
    output:
        "<results>/jacobian/{variant}.npz",
    log:
        "<results>/log/jacobian/{variant}.log",
    cache: True
    group:
        plan.needs.group("jacobian", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("jacobian"),
        runtime=plan.needs.runtime("jacobian"),
    script:
        "../../scripts/jacobian.py"
