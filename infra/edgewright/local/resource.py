"""A local edge in a Pulumi program: the resource `Edge`, and the component `LocalEdge` that compiles a spec to one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from edgewright.local.artifact import Artifact
from edgewright.local.prepare import Source, prepare
from edgewright.local.provider import TYPE, text_of


class Edge(pulumi.CustomResource):
    """A running local edge: an Envoy balancer, its gateways and the services beside them, under a supervisor.

    Its life is that of the provider ``edgewright-local``: creating it starts the edge, an update reloads it without
    dropping a request, deleting it drains and stops it. To import a running one, give its state folder as the id.
    """

    url: pulumi.Output[str]
    """Where the edge is reached: its first HTTP listener."""
    listeners: pulumi.Output[Mapping[str, str]]
    """The URL of each listener, by name."""
    pid: pulumi.Output[float]
    """The process id of the supervisor."""
    routes: pulumi.Output[list[str]]
    """The keys of the routes that are served."""
    ca_certificate: pulumi.Output[str]
    """The path of the development CA that signed the edge's certificates; empty without TLS."""
    digest: pulumi.Output[str]
    """A short digest of the artifact that runs."""

    def __init__(
        self,
        resource_name: str,
        artifact: Artifact,
        *,
        state_dir: str | Path,
        work_dir: str | Path | None = None,
        credentials: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the edge.

        artifact: what the local compiler made; state_dir: a folder of its own, made when it is missing, readable
        by this user alone; work_dir: where the commands of backends run, by default the folder of Pulumi.yaml;
        credentials: the keys of API key clients by ``<authorizer>:<client>``, secret in the state; a client that is not
        named gets a generated key.
        """
        super().__init__(
            TYPE,
            resource_name,
            {
                "artifact": text_of(artifact),
                "state_dir": str(Path(state_dir).absolute()),
                "work_dir": str(Path(work_dir or pulumi.get_root_directory()).absolute()),
                "credentials": pulumi.Output.secret(credentials or {}),
                "url": None,
                "listeners": None,
                "pid": None,
                "routes": None,
                "ca_certificate": None,
                "digest": None,
            },
            opts,
        )

    def translate_output_property(self, prop: str) -> str:
        """The name in Python of a property on the wire."""
        return _PYTHON_NAMES.get(prop, prop)

    def translate_input_property(self, prop: str) -> str:
        """The name on the wire of a property in Python."""
        return _WIRE_NAMES.get(prop, prop)


class LocalEdge(pulumi.ComponentResource):
    """The topology `local`: client -> Envoy balancer -> two Envoy gateways -> services, as processes on this machine.

    The spec is compiled before anything is registered, so a spec that is wrong costs nothing.
    """

    url: pulumi.Output[str]
    """Where the edge is reached: its first HTTP listener."""
    listeners: pulumi.Output[Mapping[str, str]]
    """The URL of each listener, by name."""
    routes: pulumi.Output[list[str]]
    """The keys of the routes that are served."""
    ca_certificate: pulumi.Output[str]
    """The path of the development CA; empty without TLS."""
    edge: Edge
    """The one resource in it."""

    def __init__(
        self,
        name: str,
        *,
        spec: Source,
        state_dir: str | Path,
        work_dir: str | Path | None = None,
        bindings: Mapping[str, Any] | None = None,
        credentials: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Compile the spec and declare the edge.

        spec: the path of its file, or the spec itself; state_dir, work_dir and credentials as in `Edge`; bindings: what
        the spec leaves to the stack, such as ``{"backends": {"orders": {"address": "127.0.0.1:9001"}}}``.
        Raises SpecError with every problem at once, those of the bindings included.
        """
        prepared = prepare(spec, bindings)
        super().__init__("edgewright:local:LocalEdge", name, None, opts)
        for note in prepared.notes:
            pulumi.warn(note, self)
        self.edge = Edge(
            name,
            prepared.artifact,
            state_dir=state_dir,
            work_dir=work_dir,
            credentials=credentials,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = self.edge.url
        self.listeners = self.edge.listeners
        self.routes = self.edge.routes
        self.ca_certificate = self.edge.ca_certificate
        self.register_outputs(
            {
                "url": self.url,
                "listeners": self.listeners,
                "routes": self.routes,
                "caCertificate": self.ca_certificate,
            }
        )


_WIRE_NAMES = {"state_dir": "stateDir", "work_dir": "workDir", "ca_certificate": "caCertificate"}
_PYTHON_NAMES = {wire: name for name, wire in _WIRE_NAMES.items()}
