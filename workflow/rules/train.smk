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
        plan.needs.group("train", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=plan.needs.gpus("train"),
        gpu_number=plan.needs.gpu_number("train"),
        mem_mb=plan.needs.memory("train"),
        runtime=plan.needs.runtime("train"),
    script:
        "../../scripts/train.py"
