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
        gpu=0,
        mem_mb=plan.needs.memory("number"),
        runtime=plan.needs.runtime("number"),
    script:
        "../../scripts/number.py"
