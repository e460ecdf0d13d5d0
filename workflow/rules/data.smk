rule data:
    input:
        unpack(plan.inputs("data")),
        recipe=plan.recipe("data"),
    output:
        "<results>/data/{dataset}.npz",
    log:
        "<results>/log/data/{dataset}.log",
    benchmark:
        "<results>/benchmark/data/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("data"),
        runtime=plan.needs.runtime("data"),
    script:
        "../../scripts/data.py"
