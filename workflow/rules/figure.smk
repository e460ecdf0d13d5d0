rule figure:
    input:
        unpack(plan.inputs("figure")),
        recipe=plan.recipe("figure"),
    output:
        svg=report(
            "<results>/figure/{figure}.svg",
            caption="../../templates/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        json="<results>/figure/{figure}.json",
        csv="<results>/report/data/{figure}.csv",
    log:
        "<results>/log/figure/{figure}.log",
    benchmark:
        "<results>/benchmark/figure/{figure}.tsv"
    group:
        plan.needs.group("figure", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("figure"),
        runtime=plan.needs.runtime("figure"),
    script:
        "../../scripts/figure.py"
