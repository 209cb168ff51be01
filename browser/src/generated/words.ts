// Generated from src/ingam/kernel/words by scripts/build_browser.py.
export const words: Record<'ko' | 'en', Record<string, string>> = {
 "en": {
  "refusal.defect": "Something went wrong on our side. Nothing you entered was stored.",
  "refusal.not-der": "The certificate file is damaged or its parts do not belong together. Your original is untouched. Please choose another file.",
  "refusal.outage": "A connected institution did not answer. Nothing was stored. Please try again in a moment."
 },
 "ko": {
  "refusal.defect": "일시적인 오류입니다. 입력한 내용은 저장되지 않았습니다.",
  "refusal.not-der": "인증서 파일이 손상되었거나 짝이 맞지 않습니다. 원본은 그대로입니다. 다른 파일을 선택해 주세요.",
  "refusal.outage": "연결된 기관의 응답이 없습니다. 저장된 것은 없습니다. 잠시 후 다시 시도해 주세요."
 }
};
