def molecules():
    return {}
