#!/usr/bin/perl
# Mail::SPF behind a pipe: one JSON object a line in, one out.
#   {"ip", "helo", "sender", "voids", "zone": {"name": {"TYPE": [data ...] | "!word"}}} -> {"result", "detail"}
use strict;
use warnings;
use JSON::PP;
use Mail::SPF;
use Net::DNS;

package Zone {
    sub new { my ( $class, $zone ) = @_; bless { zone => $zone }, $class }
    sub errorstring { '' }
    sub udppacketsize { }
    sub send {
        my ( $self, $name, $type ) = @_;
        $name = lc $name;
        $name =~ s/\.\z//;
        my $packet = Net::DNS::Packet->new( $name, $type, 'IN' );
        $self->fill( $packet, $name, $type, 0 );
        return $packet;
    }
    sub query { goto &send }
    sub fill {
        my ( $self, $packet, $name, $type, $links ) = @_;
        my $node = $self->{zone}{$name};
        return $packet->header->rcode('NXDOMAIN') unless $node;
        $packet->header->rcode('NOERROR');
        my $data = $node->{$type} // [];
        return $packet->header->rcode('SERVFAIL') unless ref $data;
        for my $one (@$data) {
            my %rr = ( owner => $name, type => $type, ttl => 300 );
            if    ( $type eq 'TXT' ) { $rr{txtdata} = [ $one =~ /(.{1,255})/gs ]; }
            elsif ( $type eq 'MX' )  { @rr{qw(preference exchange)} = split / /, $one; }
            elsif ( $type eq 'PTR' ) { $rr{ptrdname} = $one; }
            else                     { $rr{address} = $one; }
            $packet->push( answer => Net::DNS::RR->new(%rr) );
        }
        my $cname = $node->{CNAME};
        if ( !@$data && $cname && $links < 8 ) {
            $packet->push( answer => Net::DNS::RR->new( owner => $name, type => 'CNAME', ttl => 300, cname => $cname->[0] ) );
            $self->fill( $packet, $cname->[0], $type, $links + 1 );
        }
    }
}

package main;
my $json = JSON::PP->new->latin1;
$| = 1;
while ( my $line = <STDIN> ) {
    my $in  = $json->decode($line);
    my $out = eval {
        local $SIG{__WARN__} = sub { };
        my $server = Mail::SPF::Server->new(
            dns_resolver => Zone->new( $in->{zone} ),
            hostname     => 'mx.example.net',
            max_void_dns_lookups => $in->{voids},
            query_rr_types => Mail::SPF::Server->query_rr_type_txt,
        );
        my $request = Mail::SPF::Request->new(
            versions      => [1],
            scope         => $in->{sender} eq '' ? 'helo' : 'mfrom',
            identity      => $in->{sender} eq '' ? $in->{helo} : $in->{sender},
            ip_address    => $in->{ip},
            helo_identity => $in->{helo},
        );
        my $result = $server->process($request);
        return { result => $result->code, detail => $result->text };
    };
    $out = { result => 'died', detail => "$@" } unless $out;
    print $json->encode($out), "\n";
}
