rule claim:
    input:
        unpack(plan.inputs("claim")),
        recipe=plan.recipe("claim"),
    output:
        "<results>/claim/{study}.json",
    log:
        "<results>/log/claim/{study}.log",
    benchmark:
        "<results>/benchmark/claim/{study}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("claim"),
        runtime=plan.needs.runtime("claim"),
    script:
        "../../scripts/claim.py"
