# What somebody does in the pages of a Jupyter server, by the requests that they make.
import asyncio
import http.client
import json
import sys
import uuid

TIMEOUT = 120
HEADERS = {"Authorization": "token secret", "Content-Type": "application/json"}


def request(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", 8888, timeout=TIMEOUT)
    connection.request(method, "/api/" + path, body=None if body is None else json.dumps(body), headers=HEADERS)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, json.loads(data) if data else None


def ask(want, method, path, body=None):
    status, answer = request(method, path, body)
    assert status == want, f"{method} {path} is answered {status}, want {want}: {answer}"
    return answer


def stored(name):
    """Reads a notebook as the file that it is. Opened as a notebook, its signature is looked up, and noted as seen."""
    return json.loads(ask(200, "GET", f"contents/{name}?type=file&format=text")["content"])


def change(notebook, line):
    """Adds a line to a notebook, and returns what the page sends to save it."""
    cell = notebook["cells"][0]
    cell["source"] = "".join(cell["source"]) + line + "\n"
    return {"type": "notebook", "content": notebook}


def save(name, line):
    """Opens a notebook, changes it and saves it, with the checkpoint that the page asks for."""
    notebook = ask(200, "GET", f"contents/{name}?type=notebook")["content"]
    ask(200, "PUT", f"contents/{name}", change(notebook, line))
    ask(201, "POST", f"contents/{name}/checkpoints")
    assert stored(name)["cells"][0]["source"][-1] == line + "\n", f"{name} has not what was saved"


def refused(name, why):
    """Changes a notebook that cannot be saved: the page says why, and what was there stays."""
    before = stored(name)
    status, answer = request("PUT", f"contents/{name}", change(stored(name), "# not saved"))
    assert status == 500 and why in answer["message"], f"saving {name} is answered {status}: {answer}"
    assert stored(name) == before, f"{name} is not what it was before it could not be saved"


def outgrown(name, why):
    """Changes a notebook that then is too large to be saved, which Jupyter finds out when it has cut the old one: whoever
    opens it has the old one all the same."""
    before = ask(200, "GET", f"contents/{name}?type=notebook")["content"]
    line = "# a picture of a megabyte, or two of them: " + "x" * (2 << 20)
    status, answer = request("PUT", f"contents/{name}", change(before, line))
    assert status == 500 and why in answer["message"], f"saving {name} is answered {status}: {answer}"
    after = ask(200, "GET", f"contents/{name}?type=notebook")["content"]
    assert len(after["cells"][0]["source"]) < 1 << 20, f"{name} is what could not be saved"
    assert after["cells"][0]["source"].count("\n") >= 100, f"{name} has lost what was saved before: {after}"


def delete(name):
    """Deletes a file or a directory."""
    ask(204, "DELETE", f"contents/{name}")


async def websocket(path):
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    url = f"ws://127.0.0.1:8888/{path}"
    return await websocket_connect(HTTPRequest(url, headers=HEADERS, connect_timeout=TIMEOUT))


async def cell(code, want):
    """Starts a kernel, runs a cell in it and compares what it prints."""
    kernel = ask(201, "POST", "kernels", {"name": "python3"})["id"]
    channels = await websocket(f"api/kernels/{kernel}/channels")
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "", "version": "5.3"}
    asked = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": asked, "buffers": []}
    await channels.write_message(json.dumps(message))
    printed = ""
    while True:
        message = json.loads(await channels.read_message())
        if message["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if message["msg_type"] == "stream":
            printed += message["content"]["text"]
        if message["msg_type"] == "execute_reply":
            assert message["content"]["status"] == "ok", message["content"]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    assert printed == want + "\n", f"the cell prints {printed!r}"
    ask(204, "DELETE", f"kernels/{kernel}")


async def terminal(command):
    """Runs a command in a terminal."""
    name = ask(200, "POST", "terminals")["name"]
    socket = await websocket(f"terminals/websocket/{name}")
    # What is typed is printed too, so that it is not what is waited for.
    await socket.write_message(json.dumps(["stdin", command + " && echo do''ne || echo fail''ed\r"]))
    printed = ""
    while "done" not in printed and "failed" not in printed:
        kind, *text = json.loads(await socket.read_message())
        if kind == "stdout":
            printed += text[0]
    assert "done" in printed, f"the terminal says {printed}"
    ask(204, "DELETE", f"terminals/{name}")


async def main(what, *arguments):
    answer = {"save": save, "refused": refused, "outgrown": outgrown, "delete": delete, "cell": cell, "terminal": terminal}[what](*arguments)
    if asyncio.iscoroutine(answer):
        await asyncio.wait_for(answer, TIMEOUT)


asyncio.run(main(*sys.argv[1:]))
