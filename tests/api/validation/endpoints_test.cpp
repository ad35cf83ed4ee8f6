#include "api/validation/endpoints.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using core::v1::Endpoints;

constexpr char kEndpoints[] = R"({
  "metadata": {"name": "e", "namespace": "n"},
  "subsets": [{"addresses": [{"ip": "10.0.0.1", "nodeName": "n"}], "ports": [{"port": 80}]}]})";

TEST(Endpoints, Create) {
  ExpectCreate<Endpoints>(
      kEndpoints,
      {{{}, {}},
       {{R"(subsets[0].notReadyAddresses=[{"ip":"10.0.0.2","hostname":"h"}])"}, {}},
       {{"subsets[0].addresses"},
        {"subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"}},
       {{R"(subsets[0].addresses=[{"ip":"x","hostname":"H","nodeName":"N"}])"},
        {"subsets[0].addresses[0].ip: Invalid value: \"x\": " + kBadIP,
         "subsets[0].addresses[0].hostname: Invalid value: \"H\": " + kBadLabel,
         "subsets[0].addresses[0].nodeName: Invalid value: \"N\": " + kBadSubdomain,
         "subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address"}},
       {{R"(subsets[0].notReadyAddresses=[{"ip":"127.0.0.1"}])"},
        {"subsets[0].notReadyAddresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the "
         "loopback range (127.0.0.0/8, ::1/128)"}},
       {{R"(subsets[0].ports=[{"port":0,"protocol":"X","appProtocol":"-"},{"name":"A","port":1}])"},
        {"subsets[0].ports[0].name: Required value",
         "subsets[0].ports[0].port: Invalid value: 0: " + kBadPort,
         ("subsets[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", "
          "\"TCP\", \"UDP\""),
         "subsets[0].ports[0].appProtocol: Invalid value: \"-\": " + kBadQualified,
         "subsets[0].ports[1].name: Invalid value: \"A\": " + kBadLabel}}});
  auto endpoints = Load<Endpoints>(kEndpoints);
  endpoints.subsets[0].ports[0].protocol.clear();
  EXPECT_THAT(Texts(ValidateEndpoints(endpoints)),
              ::testing::ElementsAre("subsets[0].ports[0].protocol: Required value"));
}

TEST(Endpoints, Update) {
  const std::string bad = Edited(kEndpoints, {"subsets[0].addresses[0].ip=\"127.0.0.1\""});
  ExpectUpdate<Endpoints>(bad, {{{"metadata.labels.a=\"b\""}, {}},
                                {{"subsets[0].ports[0].port=81"},
                                 {"subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may "
                                  "not be in the loopback range (127.0.0.0/8, ::1/128)"}},
                                {{"metadata.labels.a=\"-\""},
                                 {"metadata.labels: Invalid value: \"-\": " + kBadLabelValue,
                                  "metadata.labels: Invalid value: \"-\": " + kBadLabelValue}}});
}

}  // namespace
}  // namespace podium::api
