// Resources of the Prometheus operator, as a list of JSON on standard input: each is checked against its schema.
import { readFileSync } from "node:fs";
import * as models from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  const Model = models[resource.kind];
  if (!Model) throw new Error(`no such kind: ${resource.kind}`);
  new Model(resource).validate();
  console.log(resource.kind);
}
