rule measure:
    input:
        unpack(plan.inputs("measure")),
        recipe=plan.recipe("measure"),
    output:
        "<results>/measure/{variant}/{measurement}.npz",
    log:
        "<results>/log/measure/{variant}/{measurement}.log",
    benchmark:
        "<results>/benchmark/measure/{variant}/{measurement}.tsv"
    group:
        plan.needs.group("measure", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("measure"),
        runtime=plan.needs.runtime("measure"),
    script:
        "../../scripts/measure.py"
