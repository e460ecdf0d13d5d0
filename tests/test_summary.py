from scripts.summary import join


def test_studies_stand_in_the_order_of_their_names_under_one_header():
    texts = {"waves": "study,value\nwaves,1\nwaves,2\n", "digits": "study,value\ndigits,3\n"}
    assert join(texts) == "study,value\ndigits,3\nwaves,1\nwaves,2\n"
    assert join({"waves": texts["waves"]}) == texts["waves"]
