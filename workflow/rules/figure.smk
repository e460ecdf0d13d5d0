rule figure:
    input:
        unpack(plan.inputs("figure")),
        recipe="<results>/recipe/figure/{figure}.json",
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
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        digest=plan.digest("figure"),
    script:
        "../../scripts/figure.py"
