rule number:
    input:
        unpack(plan.inputs("number")),
        recipe=plan.recipe("number"),
    output:
        "<results>/number/{study}.csv",
    log:
        "<results>/log/number/{study}.log",
    benchmark:
        "<results>/benchmark/number/{study}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "../../scripts/number.py"
