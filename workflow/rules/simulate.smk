rule simulate:
    input:
        unpack(plan.inputs("simulate")),
        recipe=plan.recipe("simulate"),
    output:
        "<results>/simulate/{simulation}.npz",
    log:
        "<results>/log/simulate/{simulation}.log",
    benchmark:
        "<results>/benchmark/simulate/{simulation}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    script:
        "../../scripts/simulate.py"
