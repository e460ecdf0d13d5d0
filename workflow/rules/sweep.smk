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
        plan.needs.group("sweep", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=plan.needs.gpus("sweep"),
        gpu_number=plan.needs.gpu_number("sweep"),
        mem_mb=plan.needs.memory("sweep"),
        runtime=plan.needs.runtime("sweep"),
    script:
        "../../scripts/sweep.py"
