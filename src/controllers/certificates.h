// CertificateSigningRequests: approved where their asker has a right to what they ask for, signed
// once they are approved, and taken away when they are old (upstream's pkg/controller/certificates,
// release 1.36; the rules are in certificate_rules.h).
#pragma once

#include <memory>

#include "controllers/controller.h"
#include "pki/certificate_authority.h"

namespace podium::controllers {

// Approves requests to kubernetes.io/kube-apiserver-client-kubelet that ask for a node's client
// certificate and come from that node itself, if it may create certificatesigningrequests/
// selfnodeclient, or from whoever may create certificatesigningrequests/nodeclient. All others wait
// for a person: a serving certificate's names are nothing that a server can check.
std::unique_ptr<Controller> MakeCertificateApproving(const ControllerContext& context);

// Signs what is approved for the four signers of a cluster, for a year at most. What a signer does
// not sign gets the condition Failed. The authority outlives it.
std::unique_ptr<Controller> MakeCertificateSigning(const ControllerContext& context,
                                                   const pki::CertificateAuthority& authority);

// Every hour: requests that were approved and signed, denied or failed more than an hour ago, that
// wait for more than a day, and those whose certificate has ended.
std::unique_ptr<Controller> MakeCertificateCleaning(const ControllerContext& context);

}  // namespace podium::controllers
