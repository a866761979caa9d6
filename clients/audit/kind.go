// SPDX-License-Identifier: Apache-2.0

// The kinds of orders: who may record them, between which accounts, with which fields. The table of
// timebank-ledger(5), WHO MAY RECORD WHAT.
package main

// Roles.
const (
	steward          = 1
	broker           = 2
	roleOrganisation = 3
	roleVenue        = 4
	roleMember       = 5
	evaluator        = 6
)

// Kinds of accounts.
const (
	member       = 1
	organisation = 2
	venue        = 3
	chest        = 4
	issued       = 5
	retired      = 6
	expired      = 7
	advances     = 8
	vouchers     = 9
	transit      = 10
	writeOffs    = 11
	otherBank    = 12
)

// set is a set of small numbers: of roles, or of kinds of accounts.
type set uint32

func of(numbers ...int) (s set) {
	for _, n := range numbers {
		s |= 1 << uint(n)
	}
	return s
}

func (s set) has(n int) bool { return s>>uint(n)&1 == 1 }

// Fields that only some kinds take.
const (
	takesDay = 1 << iota
	takesFrom
	takesTo
	takesMinutes
	takesActivity
	takesSheet
	takesPersons
	takesToPerson
)

// What holds of a kind.
const (
	counts       = 1 << iota // is an entry
	reversible               // can be taken back
	ownFrom                  // who is no broker acts for from
	ownTo                    // or for to
	proposable               // may wait
	claimable                // may be claimed by its giver
	fromOptional             // from may be empty
	anyMinutes               // not bound to the policy quantum
	zeroMinutes              // minutes may be 0
	bare                     // works on accounts that are not open
	spends                   // out of a member's own credits
)

type kind struct {
	roles    set
	from, to set
	takes    uint32
	is       uint32
}

var (
	stewards    = of(steward)
	brokers     = of(steward, broker)
	answerers   = of(steward, broker, roleMember, roleOrganisation)
	opened      = of(member, organisation, venue)
	timeTakes   = uint32(takesDay | takesFrom | takesTo | takesMinutes | takesActivity | takesSheet | takesPersons)
	creditTakes = uint32(takesDay | takesFrom | takesTo | takesMinutes | takesSheet)
)

var kinds = map[int]*kind{
	kindExchange: {brokers | of(roleMember), of(member), of(member), timeTakes,
		counts | reversible | ownFrom | proposable | claimable | spends},
	kindEarn: {answerers, of(organisation), of(member), timeTakes,
		counts | reversible | ownFrom | proposable | claimable},
	kindLog: {brokers, of(member, organisation), of(member), timeTakes, counts | reversible | fromOptional},
	kindGift: {brokers | of(roleMember), of(member), of(member), creditTakes | takesPersons,
		counts | reversible | ownFrom | proposable | spends},
	kindDonate: {brokers | of(roleMember), of(member), of(chest), creditTakes | takesPersons,
		counts | reversible | ownFrom | proposable | spends},
	kindGrant: {brokers, of(issued, chest), of(member), creditTakes | takesPersons,
		counts | reversible | proposable},
	kindIssue: {brokers, of(issued), of(organisation), creditTakes, counts | reversible | proposable},
	kindRedeem: {brokers | of(roleVenue), of(member), of(venue), creditTakes | takesPersons,
		counts | reversible | ownTo | anyMinutes | spends},
	kindReverse: {brokers | of(roleVenue), 0, 0, takesMinutes, counts | anyMinutes | zeroMinutes},
	kindSession: {brokers | of(roleOrganisation), of(organisation), 0,
		takesDay | takesFrom | takesMinutes | takesActivity | takesSheet,
		counts | reversible | fromOptional | ownFrom | proposable},
	kindConfirm:  {answerers, 0, 0, 0, 0},
	kindDecline:  {answerers, 0, 0, 0, 0},
	kindWithdraw: {answerers, 0, 0, 0, 0},
	kindDispute:  {answerers, 0, 0, 0, 0},
	kindDecide:   {brokers, 0, 0, takesMinutes, anyMinutes | zeroMinutes},
	kindApprove:  {brokers, 0, 0, 0, 0},
	kindHold: {brokers | of(roleVenue, roleMember), of(member), of(venue), creditTakes | takesPersons,
		ownFrom | ownTo | anyMinutes | spends},
	kindCapture: {brokers | of(roleVenue), 0, 0, takesMinutes, counts | reversible | anyMinutes | zeroMinutes},
	kindRelease: {brokers | of(roleVenue, roleMember), 0, 0, 0, 0},
	kindMintVouchers: {brokers, of(member, organisation, chest, issued), of(vouchers), creditTakes,
		counts | proposable | spends},
	kindRedeemVoucher: {brokers | of(roleVenue), of(vouchers), of(venue, member), creditTakes,
		counts | reversible | ownTo | anyMinutes},
	kindVoidVouchers: {brokers, of(vouchers), of(member, organisation, chest, issued), creditTakes,
		counts | anyMinutes},
	kindReissueVoucher: {brokers, 0, 0, 0, 0},
	kindAdvance:        {brokers, of(advances), of(member), creditTakes | takesPersons, counts | reversible | proposable},
	kindPledge:         {brokers, of(advances), of(member), creditTakes | takesPersons, counts | reversible | proposable},
	kindExpire: {brokers, of(member), of(expired), takesDay | takesFrom | takesTo | takesMinutes,
		counts | reversible | anyMinutes},
	kindSettle: {brokers | of(roleMember), opened, of(member, chest, expired, issued, retired, writeOffs),
		takesDay | takesFrom | takesTo, counts | bare | ownFrom},
	kindMerge:   {brokers, opened, opened, takesFrom | takesTo, 0},
	kindUnmerge: {brokers, 0, 0, 0, 0},
	kindTransfer: {brokers, of(member, otherBank), of(member, otherBank), creditTakes | takesPersons,
		counts | reversible},
	kindVenueReturn: {brokers | of(roleVenue), of(venue), 0, takesFrom, ownFrom},
	kindRetire:      {brokers, of(venue), of(retired), creditTakes, counts | reversible | anyMinutes},

	kindOpenAccount:   {brokers, 0, 0, takesTo | takesDay, 0},
	kindFreeze:        {brokers, 0, opened | of(otherBank), takesTo, 0},
	kindThaw:          {brokers, 0, opened | of(otherBank), takesTo, 0},
	kindClose:         {brokers, 0, opened | of(otherBank), takesTo, 0},
	kindSetLimit:      {brokers, 0, opened | of(otherBank, chest), takesTo, 0},
	kindSetPolicy:     {stewards, 0, 0, 0, 0},
	kindSetActivity:   {brokers, 0, 0, 0, 0},
	kindSetOffer:      {brokers, 0, of(venue), takesTo, 0},
	kindSetFunder:     {brokers, 0, 0, 0, 0},
	kindGrantKey:      {stewards, 0, 0, takesTo, 0},
	kindRevokeKey:     {stewards, 0, 0, 0, 0},
	kindSetPerson:     {brokers, 0, of(member), takesTo, 0},
	kindSetMandate:    {brokers, 0, of(member), takesTo, 0},
	kindSetTrust:      {answerers, 0, of(member, organisation), takesTo, ownTo},
	kindSafeguard:     {brokers, 0, opened, takesTo, 0},
	kindClosePeriod:   {brokers, 0, 0, 0, 0},
	kindSetProgramme:  {brokers, 0, 0, 0, 0},
	kindSetVoucherKey: {stewards, 0, 0, 0, 0},
	kindSetChoice:     {brokers | of(roleMember), 0, of(member), takesTo, ownTo},
	kindLeave:         {brokers | of(roleMember), 0, of(member), takesTo, ownTo},
	kindErase:         {stewards, 0, opened, takesTo | takesToPerson, 0},
	kindRotateKey:     {stewards, 0, 0, 0, 0},
	kindReleaseReport: {brokers | of(evaluator), 0, 0, 0, 0},
}
