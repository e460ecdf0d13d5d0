rule sweep:
    input:
        unpack(plan.inputs("sweep")),
        recipe=plan.recipe("sweep"),
    output:
        "<results>/sweep/{sweep}.npz",
    log:
        "<results>/log/sweep/{sweep}.log",
    benchmark:
        "<results>/benchmark/sweep/{sweep}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    script:
        "../../scripts/sweep.py"
