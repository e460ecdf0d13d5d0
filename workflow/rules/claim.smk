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
        mem_mb=1000,
        runtime=5,
    script:
        "../../scripts/claim.py"
