rule table:
    input:
        unpack(plan.inputs("table")),
        recipe="<results>/recipe/table/{table}.json",
    output:
        "<results>/table/{table}.json",
    log:
        "<results>/log/table/{table}.log",
    benchmark:
        "<results>/benchmark/table/{table}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        digest=plan.digest("table"),
    script:
        "../../scripts/table.py"
