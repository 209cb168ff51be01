/** Who a certificate is for, and in which language we speak; shared by both sides of the frame. */

export const CUSTOMER_KINDS = ['personal', 'union-head', 'corporate'] as const
export type CustomerKind = (typeof CUSTOMER_KINDS)[number]
export const LANGS = ['ko', 'en'] as const
export type Lang = (typeof LANGS)[number]
