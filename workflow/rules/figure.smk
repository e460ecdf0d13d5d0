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
        plan.group("figure", workflow)
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.memory("figure"),
        runtime=plan.runtime("figure"),
    script:
        "../../scripts/figure.py"
