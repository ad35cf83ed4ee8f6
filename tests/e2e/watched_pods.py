"""What a watcher sees of pods, in a form that tests compare."""

import json
import re
import threading

UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Watcher(threading.Thread):
    """What a watch of the namespace's pods tells, by pod: the objects, as they came."""

    def __init__(self, server, namespace, resource="pods"):
        super().__init__(daemon=True)
        self.connection = server.connect()
        self.connection.timeout = 600
        self.connection.request("GET", f"/api/v1/namespaces/{namespace}/{resource}?watch=true")
        self.answer = self.connection.getresponse()
        self.seen = {}

    def run(self):
        for line in self.answer:
            event = json.loads(line)
            self.seen.setdefault(self.whose(event["object"]), []).append(event)

    def whose(self, item):
        return item["metadata"]["name"]

    def pods(self, name):
        return [event["object"] for event in self.seen.get(name, ())]


class EventWatcher(Watcher):
    """What a watch of the namespace's events tells, by the name of what they are about."""

    def __init__(self, server, namespace):
        super().__init__(server, namespace, "events")

    def whose(self, item):
        return item["involvedObject"]["name"]

    def events(self, name):
        """Each once, as it is now."""
        latest = {event["object"]["metadata"]["name"]: event["object"]
                  for event in list(self.seen.get(name, ()))}
        return list(latest.values())


def containers_of(pod):
    """The statuses of all its containers: init, regular, ephemeral."""
    return [each for key in ("initContainerStatuses", "containerStatuses",
                             "ephemeralContainerStatuses") for each in pod["status"].get(key, ())]


def state_text(state):
    """Of a container: "running", "waiting Reason: message", "terminated code Reason: message"."""
    for what, facts in state.items():
        words = [what, *(str(facts[key]) for key in ("exitCode", "reason") if key in facts)]
        message = facts.get("message")
        return " ".join(words) + (f": {message}" if message else "")
    return "nothing"


def container_text(status):
    words = [status["name"], state_text(status["state"])]
    words += [word for word in ("ready", "started") if status.get(word)]
    if status.get("lastState"):
        words += ["after", state_text(status["lastState"])]
    if status["restartCount"]:
        words.append(f"#{status['restartCount']}")
    return " ".join(words)


def pod_text(pod):
    """A line: phase, reason and message, and each container."""
    status = pod["status"]
    words = [status["phase"], *(status[key] for key in ("reason",) if status.get(key))]
    head = " ".join(words) + (f": {status['message']}" if status.get("message") else "")
    return " | ".join([head, *map(container_text, containers_of(pod))])


def conditions_of(pod):
    """By type: status, reason and message."""
    def text(each):
        words = [each["status"], *([each["reason"]] if each.get("reason") else [])]
        return " ".join(words) + (f": {each['message']}" if each.get("message") else "")
    return {each["type"]: text(each) for each in pod["status"].get("conditions", ())}


def event_texts(events):
    """Each "container type reason: message", in the order in which they were told first."""
    def told(event):
        # A recorder names its events by the time, in nanoseconds.
        return int(event["metadata"]["name"].rpartition(".")[2], 16)

    def text(event):
        path = event["involvedObject"].get("fieldPath", "")
        where = path[path.index("{") + 1:-1] if path else "pod"
        return f"{where} {event['type']} {event['reason']}: {event['message']}"
    return [text(event) for event in sorted(events, key=told)]
