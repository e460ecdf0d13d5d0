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
        mem_mb=500,
        runtime=5,
    script:
        "../../scripts/data.py"
