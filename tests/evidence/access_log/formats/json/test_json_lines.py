from necropsy.evidence.access_log.formats.json.json_lines import recognise


def test_a_key_without_a_name_holds_no_field() -> None:
    line = '{"":"2026-11-29T10:00:00Z","time":"2026-11-29T10:00:01Z","status":200,"path":"/","remote_addr":"10.0.0.1"}'
    found = recognise([line] * 3)
    assert found is not None
    assert found.note.startswith("JSON: time=time,")
