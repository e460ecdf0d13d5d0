# Three jobs with a GPU each, of which the first two wait for each other.
rule all:
    input:
        expand("{name}.txt", name=["one", "two", "three"]),


rule ask:
    output:
        "{name}.txt",
    threads: 1
    resources:
        gpu=1,
        mem_mb=400,
        runtime=5,
    shell:
        "touch {wildcards.name}.started; until [ $(ls *.started | wc -l) -ge 2 ]; do sleep 0.1; done; sleep 2;"
        " echo ${{CUDA_VISIBLE_DEVICES:-none}} > {output}"
