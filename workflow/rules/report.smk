rule summary:
    input:
        unpack(plan.inputs("summary")),
        recipe=plan.recipe("summary"),
    output:
        numbers="<results>/report/numbers.csv",
        claims="<results>/report/claims.json",
    log:
        "<results>/log/summary.log",
    benchmark:
        "<results>/benchmark/summary.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("summary"),
        runtime=plan.needs.runtime("summary"),
    script:
        "../../scripts/summary.py"


rule manifest:
    input:
        unpack(plan.inputs("manifest")),
        recipe=plan.recipe("manifest"),
    output:
        "<results>/report/manifest.json",
    log:
        "<results>/log/manifest.log",
    benchmark:
        "<results>/benchmark/manifest.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("manifest"),
        runtime=plan.needs.runtime("manifest"),
    script:
        "../../scripts/manifest.py"


rule report:
    input:
        unpack(plan.inputs("report")),
        recipe=plan.recipe("report"),
    output:
        "<results>/report/report.{kind}",
    log:
        "<results>/log/report/{kind}.log",
    benchmark:
        "<results>/benchmark/report/{kind}.tsv"
    wildcard_constraints:
        kind="html|pdf",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("report"),
        runtime=plan.needs.runtime("report"),
    script:
        "../../scripts/report.py"


rule crate:
    input:
        unpack(plan.inputs("crate")),
        recipe=plan.recipe("crate"),
    output:
        metadata="<results>/report/ro-crate-metadata.json",
        configuration="<results>/report/configuration.json",
        source=directory("<results>/report/source"),
    log:
        "<results>/log/crate.log",
    benchmark:
        "<results>/benchmark/crate.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=plan.needs.memory("crate"),
        runtime=plan.needs.runtime("crate"),
    script:
        "../../scripts/crate.py"
