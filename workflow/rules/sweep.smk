rule sweep:
    input:
        unpack(plan.inputs("sweep")),
        recipe=plan.recipe("sweep"),
    output:
        "<results>/sweep/{sweep}.npz",
    log:
        "<results>/log/sweep/{sweep}.log",
    cache: True
    group:
        plan.group("sweep", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=plan.gpus("sweep"),
        gpu_number=plan.gpu_number("sweep"),
        mem_mb=plan.memory("sweep"),
        runtime=plan.runtime("sweep"),
    script:
        "../../scripts/sweep.py"
