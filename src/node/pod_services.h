// What the worker of a pod works with; one for the node, outliving all workers.
#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "node/command_runner.h"
#include "node/cpus/cpu_manager.h"
#include "node/event_recorder.h"
#include "node/image_pulls.h"
#include "node/metrics/node_metrics.h"
#include "node/network_probes.h"
#include "node/node_config.h"
#include "node/objects.h"
#include "node/pod_volumes.h"
#include "node/probe_wheel.h"
#include "node/user_namespaces.h"
#include "runtime/runtime.h"

namespace podium::node {

struct PodServices {
  const NodeConfig& config;
  const Clock& clock;
  Executor& executor;
  runtime::Runtime& runtime;
  ImagePulls& images;
  PodVolumes& volumes;
  const ObjectSource& objects;
  NetworkProbes& network;
  CommandRunner& commands;
  ProbeWheel& wheel;
  EventSink& events;
  UserNamespaces& users;
  NodeMetrics& metrics;
  const CpuManager* cpus = nullptr;  // null: all containers share all CPUs
};

}  // namespace podium::node
