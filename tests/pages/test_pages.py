"""Pages from a template and the files that all pages share."""

import json
import re

import pytest

from lic.pages import filled


def test_data_and_texts_cannot_end_their_elements():
    text = filled("<h1>$title</h1><script>$data</script>", ["</script><!--"], title="</h1>&")
    assert text.startswith("<h1>&lt;/h1&gt;&amp;</h1>")
    assert json.loads(re.search("<script>(.*)</script>", text)[1]) == ["</script><!--"]
    assert text.count("</script>") == 1


def test_style_body_and_script_are_inside():
    style, body, script = filled("$style|||$body|||$script", None).split("|||")
    assert style.startswith(":root")
    assert 'id="stage"' in body
    assert "function comparison()" in script
    # Each element that the script asks for is in the body.
    assert set(re.findall(r'at\("([a-z-]+)"\)', script)) <= set(re.findall('id="([a-z-]+)"', body))


def test_a_name_without_a_text_is_an_error():
    with pytest.raises(KeyError, match="about"):
        filled("$about", None)
