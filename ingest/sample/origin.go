package sample

import "relay/ingest/convert"

// Origin is added to all times, in units of 1/[convert.Rate] s. What is decoded or heard before the
// first picture is shown would lie before zero else, and tags have no times there.
const Origin = 1 * convert.Rate
