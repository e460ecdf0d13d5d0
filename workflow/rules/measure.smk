rule measure:
    input:
        unpack(plan.inputs("measure")),
        recipe=plan.recipe("measure"),
    output:
        "<results>/measure/{variant}/{measurement}.npz",
    log:
        "<results>/log/measure/{variant}/{measurement}.log",
    benchmark:
        "<results>/benchmark/measure/{variant}/{measurement}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    script:
        "../../scripts/measure.py"
