#include "node/dns.h"

#include <algorithm>

#include "base/text.h"
#include "node/pod_spec.h"

namespace podium::node {
namespace {

using wire::cri::DNSConfig;

void AddNew(const std::vector<std::string>& values, std::vector<std::string>* to) {
  for (const std::string& value : values) {
    if (std::ranges::find(*to, value) == to->end()) to->push_back(value);
  }
}

// The options of the pod take the place of those of the same name.
void MergeOptions(const reflect::List<v1::PodDNSConfigOption>& options, DNSConfig* config) {
  for (const v1::PodDNSConfigOption& option : options) {
    const std::string prefix = option.name + ":";
    std::erase_if(config->options, [&](const std::string& each) {
      return each == option.name || each.starts_with(prefix);
    });
    config->options.push_back(option.value && !option.value->empty() ? prefix + *option.value
                                                                     : option.name);
  }
}

void KeepLimits(PodDns* dns) {
  DNSConfig& config = dns->config;
  if (config.servers.size() > kMaxNameservers) {
    config.servers.resize(kMaxNameservers);
    dns->events.push_back({"DNSConfigForming",
                           "Nameserver limits were exceeded, some nameservers have been omitted, "
                           "the applied nameserver line is: " +
                               Join(config.servers, " ")});
  }
  size_t kept = 0;
  size_t chars = 0;
  for (const std::string& path : config.searches) {
    const size_t with = chars + path.size() + (kept > 0 ? 1 : 0);
    if (kept == kMaxSearchPaths || with > kMaxSearchChars) break;
    chars = with;
    ++kept;
  }
  if (kept == config.searches.size()) return;
  config.searches.resize(kept);
  dns->events.push_back({"DNSConfigForming",
                         "Search Line limits were exceeded, some search paths have been omitted, "
                         "the applied search line is: " +
                             Join(config.searches, " ")});
}

void UseCluster(const v1::Pod& pod, const NodeConfig& config, const DNSConfig& host,
                DNSConfig* to) {
  to->servers = config.cluster_dns;
  if (!config.cluster_domain.empty()) {
    const std::string services = "svc." + config.cluster_domain;
    to->searches = {pod.metadata.namespace_ + "." + services, services, config.cluster_domain};
  }
  AddNew(host.searches, &to->searches);
  to->options = {"ndots:5"};
}

}  // namespace

DNSConfig ParseResolvConf(std::string_view text) {
  DNSConfig out;
  for (const std::string_view line : Split(text, '\n')) {
    std::vector<std::string_view> words = Words(line.substr(0, line.find_first_of("#;")), " \t\r");
    if (words.size() < 2) continue;
    const std::string_view key = words.front();
    words.erase(words.begin());
    if (key == "nameserver") {
      AddNew({std::string(words.front())}, &out.servers);
    } else if (key == "search") {
      out.searches.clear();
      for (std::string_view word : words) {
        // A full stop at the end says the same; a lone one is the root, which adds nothing.
        if (word != "." && word.ends_with('.')) word.remove_suffix(1);
        if (word != ".") out.searches.emplace_back(word);
      }
    } else if (key == "options") {
      for (const std::string_view word : words) {
        const std::string_view name = word.substr(0, word.find(':'));
        std::erase_if(out.options, [&](const std::string& each) {
          return each.substr(0, each.find(':')) == name;
        });
        out.options.emplace_back(word);
      }
    }
  }
  return out;
}

PodDns MakePodDns(const v1::Pod& pod, const NodeConfig& config, const DNSConfig& host) {
  PodDns out;
  const std::string& policy = pod.spec.dnsPolicy;
  const bool cluster = policy == "ClusterFirstWithHostNet" ||
                       (policy != "None" && policy != "Default" && !pod.spec.hostNetwork);
  if (cluster && !config.cluster_dns.empty()) {
    UseCluster(pod, config, host, &out.config);
  } else if (policy != "None") {
    if (cluster) {
      // Whichever of the two policies it is, as upstream.
      const std::string problem =
          "kubelet does not have ClusterDNS IP configured and cannot create Pod using "
          "\"ClusterFirst\" policy. Falling back to \"Default\" policy.";
      out.events.push_back({"MissingClusterDNS", problem, true});
      out.events.push_back({"MissingClusterDNS", "pod: \"" + FormatPod(pod) + "\". " + problem});
    }
    out.config = host;
  }
  if (pod.spec.dnsConfig) {
    AddNew(pod.spec.dnsConfig->nameservers, &out.config.servers);
    AddNew(pod.spec.dnsConfig->searches, &out.config.searches);
    MergeOptions(pod.spec.dnsConfig->options, &out.config);
  }
  KeepLimits(&out);
  return out;
}

}  // namespace podium::node
