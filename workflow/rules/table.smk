rule table:
    input:
        unpack(plan.inputs("table")),
        recipe=plan.recipe("table"),
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
    script:
        "../../scripts/table.py"
