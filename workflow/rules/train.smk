rule train:
    input:
        unpack(plan.inputs("train")),
        recipe=plan.recipe("train"),
    output:
        "<results>/train/{variant}.npz",
    log:
        "<results>/log/train/{variant}.log",
    cache: True
    group:
        plan.group("train", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=plan.gpus("train"),
        gpu_number=plan.gpu_number("train"),
        mem_mb=plan.memory("train"),
        runtime=plan.runtime("train"),
    script:
        "../../scripts/train.py"
