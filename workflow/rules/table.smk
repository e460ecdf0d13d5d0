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
        gpu=0,
        mem_mb=plan.needs.memory("table"),
        runtime=plan.needs.runtime("table"),
    script:
        "../../scripts/table.py"
