// Package tv tells the TVs on this machine's own networks of its channels, as a media server of UPnP AV
// (MediaServer:1 with ContentDirectory:1 and ConnectionManager:1, as DLNA's guidelines want it): they find it by SSDP
// (UPnP Device Architecture 1.0, section 1), read its list by SOAP (section 3), and play MPEG-TS from the players'
// listener. IPv4 alone, which is what TVs speak.
//
// Whoever is on the network may forge the address that an SSDP query comes from, so an answer goes to no address
// outside this machine's subnets, and to each no more than a few packets a second. Events (GENA, section 4) are never
// sent: SUBSCRIBE has the server connect to whatever address it names (CallStranger, CVE-2020-12695). A subscription
// is taken all the same, since some TVs drop a server that refuses it, and costs nothing; TVs read the list anew
// whenever somebody opens it.
package tv
