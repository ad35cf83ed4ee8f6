// A pod's counters by the names that cAdvisor gives them, which kubelets and the CRI use too. In
// the order of the names, as Prometheus's text has them.
#pragma once

#include <cstdint>
#include <string_view>

#include "network/network.h"

namespace podium::network {

struct CounterFamily {
  std::string_view name;
  std::string_view help;
  uint64_t PodCounters::* counter;
};
inline constexpr CounterFamily kCounterFamilies[] = {
    {"container_network_receive_bytes_total", "Cumulative count of bytes received",
     &PodCounters::rx_bytes},
    {"container_network_receive_errors_total",
     "Cumulative count of errors encountered while receiving", &PodCounters::rx_errors},
    {"container_network_receive_packets_dropped_total",
     "Cumulative count of packets dropped while receiving", &PodCounters::rx_dropped},
    {"container_network_receive_packets_total", "Cumulative count of packets received",
     &PodCounters::rx_packets},
    {"container_network_transmit_bytes_total", "Cumulative count of bytes transmitted",
     &PodCounters::tx_bytes},
    {"container_network_transmit_errors_total",
     "Cumulative count of errors encountered while transmitting", &PodCounters::tx_errors},
    {"container_network_transmit_packets_dropped_total",
     "Cumulative count of packets dropped while transmitting", &PodCounters::tx_dropped},
    {"container_network_transmit_packets_total", "Cumulative count of packets transmitted",
     &PodCounters::tx_packets},
};

}  // namespace podium::network
