rule number:
    input:
        unpack(plan.inputs("number")),
        recipe="<results>/recipe/number/{study}.json",
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
    params:
        digest=plan.digest("number"),
    script:
        "../../scripts/number.py"
