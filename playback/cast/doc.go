// Package cast has a Chromecast play an address: it finds devices by mDNS (RFC 6762, and DNS-SD, RFC 6763), and speaks
// CASTV2 with one, which is JSON in a protobuf of seven fields, in frames of a length of 4 bytes, over TLS (Chromium,
// third_party/openscreen/src/cast/common/channel/proto/cast_channel.proto). IPv4 alone.
//
// A device signs its own certificate, which nobody checks: whoever answers on this network under a device's name is
// taken for it. What it is told is an address of this network that everybody there may play, and a title.
package cast
