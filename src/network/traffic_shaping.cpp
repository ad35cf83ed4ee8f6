#include "network/traffic_shaping.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "linux/netlink_socket.h"
#include "network/links.h"
#include "network/route_messages.h"

namespace podium::network {

using kernel::NetlinkBatch;
using kernel::NetlinkSocket;

namespace {

constexpr size_t kPrefix = 4;     // "veth", "ifbp"
constexpr uint8_t kEthernet = 1;  // TC_LINKLAYER_ETHERNET: the kernel then needs no table of rates
// A bucket holds this part of a second, and at least some large packets; the queue before it twice
// as much again.
constexpr uint64_t kBurstsASecond = 20;
constexpr uint64_t kSmallestBurst = 64 << 10;
constexpr uint64_t kLargestBurst = 64 << 20;

void PutQueue(NetlinkBatch* batch, uint32_t device, uint64_t bits_a_second) {
  const uint64_t bytes = std::max<uint64_t>(bits_a_second / 8, 1);
  const auto burst =
      static_cast<uint32_t>(std::clamp(bytes / kBurstsASecond, kSmallestBurst, kLargestBurst));
  batch->Begin(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, "limiting the pod's rate (tbf)");
  tcmsg header{};
  header.tcm_ifindex = static_cast<int>(device);
  header.tcm_parent = TC_H_ROOT;
  header.tcm_handle = TC_H_MAKE(1U << 16, 0U);
  batch->PutHeader(header);
  batch->PutText(TCA_KIND, "tbf");
  const auto options = batch->Nest(TCA_OPTIONS);
  tc_tbf_qopt qopt{};
  qopt.rate.rate = static_cast<uint32_t>(std::min<uint64_t>(bytes, UINT32_MAX));
  qopt.rate.linklayer = kEthernet;
  qopt.limit = 3 * burst;
  batch->PutValue(TCA_TBF_PARMS, qopt);
  batch->PutU32(TCA_TBF_BURST, burst);
  if (bytes > UINT32_MAX) batch->PutU64(TCA_TBF_RATE64, bytes);
}

// Everything that comes in on `device` leaves by `target`, and then comes in as if nothing had
// been.
void PutRedirect(NetlinkBatch* batch, uint32_t device, uint32_t target) {
  batch->Begin(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, "limiting the pod's rate (ingress)");
  tcmsg header{};
  header.tcm_ifindex = static_cast<int>(device);
  header.tcm_parent = TC_H_INGRESS;
  header.tcm_handle = TC_H_MAKE(0xffff0000U, 0U);
  batch->PutHeader(header);
  batch->PutText(TCA_KIND, "ingress");

  batch->Begin(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, "limiting the pod's rate (u32, mirred)");
  header.tcm_parent = TC_H_MAKE(0xffff0000U, 0U);
  header.tcm_handle = 0;
  header.tcm_info = TC_H_MAKE(1U << 16, htons(ETH_P_ALL));
  batch->PutHeader(header);
  batch->PutText(TCA_KIND, "u32");
  const auto options = batch->Nest(TCA_OPTIONS);
  // One key whose mask is empty: every packet.
  std::vector<uint8_t> all(sizeof(tc_u32_sel) + sizeof(tc_u32_key));
  all[offsetof(tc_u32_sel, flags)] = TC_U32_TERMINAL;
  all[offsetof(tc_u32_sel, nkeys)] = 1;
  batch->Put(TCA_U32_SEL, all);
  const auto actions = batch->Nest(TCA_U32_ACT);
  const auto first = batch->Nest(1);
  batch->PutText(TCA_ACT_KIND, "mirred");
  const auto action = batch->Nest(TCA_ACT_OPTIONS);
  tc_mirred mirred{};
  mirred.action = TC_ACT_STOLEN;
  mirred.eaction = TCA_EGRESS_REDIR;
  mirred.ifindex = target;
  batch->PutValue(TCA_MIRRED_PARMS, mirred);
}

Result<uint32_t> MakeRateDevice(NetlinkSocket* socket, const std::string& name) {
  NetlinkBatch batch;
  batch.Begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "limiting the pod's rate (ifb)");
  batch.PutHeader(ifinfomsg{});
  batch.PutText(IFLA_IFNAME, name);
  batch.PutU32(IFLA_NUM_TX_QUEUES, 1);
  batch.PutU32(IFLA_NUM_RX_QUEUES, 1);
  {
    const auto info = batch.Nest(IFLA_LINKINFO);
    batch.PutText(IFLA_INFO_KIND, "ifb");
  }
  PutLinkLocal(&batch, name, false);
  PutUp(&batch, name);
  TRY_VOID(socket->Execute(&batch));
  TRY(const Link link, FindLink(name));
  return link.index;
}

Result<void> LimitEgress(NetlinkSocket* socket, const std::string& device, uint32_t index,
                         uint64_t rate) {
  TRY(const uint32_t target, MakeRateDevice(socket, RateDeviceOf(device)));
  NetlinkBatch batch;
  PutQueue(&batch, target, rate);
  PutRedirect(&batch, index, target);
  return socket->Execute(&batch);
}

// A kind of device, queue or filter that the kernel does not have is "not found" to rtnetlink.
Result<void> Explain(Result<void> result) {
  if (result.ok()) return result;
  const int os_errno = result.error().os_errno();
  if (os_errno != ENOENT && os_errno != EOPNOTSUPP && os_errno != EINVAL) return result;
  return Error(Code::kUnsupported,
               result.error().message() + ": the kernel cannot limit a pod's bandwidth this way",
               os_errno);
}

}  // namespace

std::string RateDeviceOf(const std::string& device) {
  return "ifbp" + device.substr(std::min(device.size(), kPrefix));
}

Result<void> LimitRates(const std::string& device, uint32_t index, const Bandwidth& bandwidth) {
  if (bandwidth == Bandwidth{}) return {};
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  if (bandwidth.ingress_rate != 0) {
    NetlinkBatch batch;
    PutQueue(&batch, index, bandwidth.ingress_rate);
    TRY_VOID(Explain(socket.Execute(&batch)));
  }
  if (bandwidth.egress_rate == 0) return {};
  auto limited = Explain(LimitEgress(&socket, device, index, bandwidth.egress_rate));
  if (!limited.ok()) (void)RemoveRateDevice(device);
  return limited;
}

Result<void> RemoveRateDevice(const std::string& device) {
  return RemoveLink(RateDeviceOf(device));
}

}  // namespace podium::network
