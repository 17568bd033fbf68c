// Package domain asks a domain for the channels that it names: in TXT records of _relay.DOMAIN, or else in the
// file https://DOMAIN/.well-known/relay.txt. A record is one line:
//
//	v=relay1 id=<channel id> at=host:port[,host:port…] [n=<title>]
//
// The title goes to the end. Strings of one TXT record are joined. The file has such lines, or links; what begins
// with # is a remark. What a domain says counts as much as DNS and TLS do, and no more: whoever answers at an
// address has to show the channel's signatures.
package domain
