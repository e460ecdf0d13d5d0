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
    group:
        plan.needs.group("simulate", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("simulate"),
        runtime=plan.needs.runtime("simulate"),
    script:
        "../../scripts/simulate.py"
