// The alert as a STIX 2.1 bundle: a sighting, what was sighted, where, and what was observed.
//
// Alerts of threat lists are sightings of an indicator for each address; alerts about behaviour are sightings of an
// attack pattern. Ids are UUIDs of version 5, so the same revision gives the same bytes: of cyber-observable objects in
// the name space and over the properties that STIX 2.1 section 2.9 gives, of all others in a name space of ours.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

[[nodiscard]] Json stix_bundle(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing = {});

}  // namespace keyvigil
