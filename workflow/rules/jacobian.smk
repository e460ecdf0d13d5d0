rule jacobian:
    input:
        unpack(plan.inputs("jacobian")),
        recipe=plan.recipe("jacobian"),
    output:
        "<results>/jacobian/{variant}.npz",
    log:
        "<results>/log/jacobian/{variant}.log",
    cache: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=5,
    script:
        "../../scripts/jacobian.py"
