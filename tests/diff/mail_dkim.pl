#!/usr/bin/perl
# Mail::DKIM behind a pipe: one JSON object a line in, one out. Mail travels in base64.
#   {"zone": {"name": "text" | null}, "now": seconds}      sets the DNS (null: SERVFAIL) and the clock
#   {"verify": mail}        -> {"signatures": [[result, detail, b], ...]}
#   {"arc": mail}           -> {"result": ..., "detail": ...}
#   {"sign": mail, "domain", "selector", "method", "key": file, "headers"} -> {"field": ...}
use strict;
use warnings;

our $now;

BEGIN {
    *CORE::GLOBAL::time = sub { defined $main::now ? $main::now : CORE::time() };
}
use JSON::PP;
use MIME::Base64;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

package Zone {
    my %zone;
    sub new { bless {}, shift }
    sub set { shift; %zone = %{ $_[0] } }
    sub errorstring { 'SERVFAIL' }
    sub send {
        my ( $self, $name, $type ) = @_;
        $name = lc $name;
        $name =~ s/\.\z//;
        my $packet = Net::DNS::Packet->new( $name, $type, 'IN' );
        my $known = exists $zone{$name};
        my $rcode = !$known ? 'NXDOMAIN' : defined $zone{$name} ? 'NOERROR' : 'SERVFAIL';
        $packet->header->rcode($rcode);
        if ( $rcode eq 'NOERROR' && $type eq 'TXT' ) {
            my @strings = $zone{$name} =~ /(.{1,255})/gs;
            $packet->push( answer => Net::DNS::RR->new( owner => $name, type => 'TXT', txtdata => \@strings ) );
        }
        return $packet;
    }
}

package main;
my $zone = Zone->new;
Mail::DKIM::DNS::resolver($zone);
my $json = JSON::PP->new->latin1;
$| = 1;

sub verify {
    my ($mail) = @_;
    my $dkim = Mail::DKIM::Verifier->new;
    $dkim->PRINT($mail);
    $dkim->CLOSE;
    my @all = map { [ $_->result || 'none', $_->result_detail || '', $_->data || '' ] } @{ $dkim->{signatures} };
    return { signatures => \@all, reject => $dkim->{signature_reject_reason} };
}

sub arc {
    my ($mail) = @_;
    my $arc = Mail::DKIM::ARC::Verifier->new( Strict => 1 );
    $arc->PRINT($mail);
    $arc->CLOSE;
    return { result => $arc->result, detail => $arc->result_detail };
}

sub sign {
    my ($in) = @_;
    my $signer = Mail::DKIM::Signer->new(
        Algorithm => 'rsa-sha256',
        Method    => $in->{method},
        Domain    => $in->{domain},
        Selector  => $in->{selector},
        KeyFile   => $in->{key},
        Headers   => $in->{headers},
    );
    $signer->PRINT( decode_base64( $in->{sign} ) );
    $signer->CLOSE;
    my $field = $signer->signature->as_string;
    $field =~ s/(?<!\r)\n/\r\n/g;
    return { field => encode_base64( $field, '' ) };
}

while ( my $line = <STDIN> ) {
    my $in  = $json->decode($line);
    my $out = eval {
        local $SIG{__WARN__} = sub { };
        if    ( $in->{zone} )   { $zone->set( $in->{zone} ); $now = $in->{now}; return {}; }
        elsif ( $in->{verify} ) { return verify( decode_base64( $in->{verify} ) ); }
        elsif ( $in->{arc} )    { return arc( decode_base64( $in->{arc} ) ); }
        else                    { return sign($in); }
    };
    $out = { died => "$@" } unless $out;
    print $json->encode($out), "\n";
}
