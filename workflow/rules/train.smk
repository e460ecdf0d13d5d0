rule train:
    input:
        unpack(plan.inputs("train")),
        recipe=plan.recipe("train"),
    output:
        "<results>/train/{variant}.npz",
    log:
        "<results>/log/train/{variant}.log",
    cache: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../../scripts/train.py"
