#include "node/host_names.h"

namespace podium::node {
namespace {

Result<std::string> Cut(const std::string& name) {
  if (name.size() <= kMaxHostname) return name;
  std::string cut = name.substr(0, kMaxHostname);
  // A label ends with neither.
  cut.erase(cut.find_last_not_of("-.") + 1);
  if (cut.empty()) {
    return Error(Code::kInvalidArgument, "hostname for pod was invalid: \"" + name + "\"");
  }
  return cut;
}

}  // namespace

Result<HostNames> MakeHostNames(const v1::Pod& pod, const NodeConfig& config) {
  HostNames names;
  if (pod.spec.hostnameOverride && !pod.spec.hostnameOverride->empty()) {
    names.hostname = *pod.spec.hostnameOverride;
    names.kernel_name = names.hostname;
    return names;
  }
  const std::string& wanted = pod.spec.hostname.empty() ? pod.metadata.name : pod.spec.hostname;
  TRY(names.hostname, Cut(wanted));
  if (!pod.spec.subdomain.empty()) {
    names.domain =
        pod.spec.subdomain + "." + pod.metadata.namespace_ + ".svc." + config.cluster_domain;
  }
  names.kernel_name = names.hostname;
  if (pod.spec.setHostnameAsFQDN.value_or(false) && !names.domain.empty()) {
    names.kernel_name += "." + names.domain;
    if (names.kernel_name.size() > kMaxKernelHostname) {
      return Error(Code::kInvalidArgument,
                   "failed to construct FQDN from pod hostname and cluster domain, FQDN " +
                       names.kernel_name + " is too long (" + std::to_string(kMaxKernelHostname) +
                       " characters is the max, " + std::to_string(names.kernel_name.size()) +
                       " characters requested)");
    }
  }
  return names;
}

std::string MakeHostsFile(const v1::Pod& pod, const HostNames& names,
                          const std::vector<std::string>& addresses, std::string_view host_file) {
  std::string out;
  if (pod.spec.hostNetwork) {
    out = "# Kubernetes-managed hosts file (host network).\n";
    out += host_file;
    if (!out.ends_with('\n')) out += '\n';
  } else {
    out =
        "# Kubernetes-managed hosts file.\n"
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\n"
        "fe00::0\tip6-mcastprefix\n"
        "fe00::1\tip6-allnodes\n"
        "fe00::2\tip6-allrouters\n";
    for (const std::string& address : addresses) {
      out += address + "\t";
      if (!names.domain.empty()) out += names.hostname + "." + names.domain + "\t";
      out += names.hostname + "\n";
    }
  }
  if (pod.spec.hostAliases.empty()) return out;
  out += "\n# Entries added by HostAliases.\n";
  for (const v1::HostAlias& alias : pod.spec.hostAliases) {
    out += alias.ip;
    for (const std::string& name : alias.hostnames) out += "\t" + name;
    out += "\n";
  }
  return out;
}

}  // namespace podium::node
