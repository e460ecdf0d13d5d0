rule jacobian:
    input:
        unpack(plan.inputs("jacobian")),
        recipe="<results>/recipe/jacobian/{variant}.json",
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
    params:
        digest=plan.digest("jacobian"),
    script:
        "../../scripts/jacobian.py"
