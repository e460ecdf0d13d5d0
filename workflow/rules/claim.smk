rule claim:
    input:
        unpack(plan.inputs("claim")),
        recipe="<results>/recipe/claim/{study}.json",
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
    params:
        digest=plan.digest("claim"),
    script:
        "../../scripts/claim.py"
