"""Words that every client uses, in the languages of operating systems and run times; none of them means a store by itself."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

EVERYONE: Final[tuple[ErrorClass, ...]] = (
    ErrorClass(
        "pool exhausted",
        r"(?i)pool (?:is )?(?:exhausted|timeout|timed out|full)|no (?:free |idle )?connections? (?:is |are )?available|too many connections"
        r"|connection pool.{0,40}(?:exhausted|timed? ?out)|连接池.{0,10}(?:耗尽|已满|不足)|获取连接.{0,6}超时",
        T.POOL,
        shared=True,
    ),
    ErrorClass(
        "timed out",
        r"(?i)timed[ -]?out|time[- ]?out (?:error|exceeded|expired|occurred|while|waiting|performing|after|of|reading|writing)"
        r"|(?:read|connect(?:ion)?|dial|command|response|operation|socket|write|lock|request) time[- ]?out\b|\btime[- ]?out(?:[!,;)\]\"'”]|\.?$|: )|TimeoutE(?:rror|xception)"
        r"|did not (?:answer|respond)|超时|逾時|タイムアウト|시간 ?초과|타임아웃|Zeitüberschreitung|délai.{0,30}(?:dépassé|expiré)"
        r"|tiempo de espera|tempo (?:limite )?(?:esgotado|excedido)|таймаут|тайм-аут|время ожидания|zaman aşımı|przekroczono.{0,10}czas|tempo scaduto",
        T.SLOW,
        shared=True,
    ),
    ErrorClass(
        "connection lost",
        r"(?i)connection (?:was |has been |is )?(?:refused|reset|closed|lost|aborted|terminated|failed|dropped|broken|unavailable)"
        r"|broken pipe|unexpected(?:ly)? (?:end of stream|EOF|closed)|\bEOF\b|no route to host|name or service not known|no such host"
        r"|(?:can ?no|could no|cannot|can'|couldn'|unable )t?o?t? (?:connect|reach|establish)|(?:failed|failure|error|unable) (?:to )?(?:connect|connecting|reach)"
        r"|server closed|went away|getaddrinfo|not connected|disconnected|unreachable"
        r"|拒绝|拒絕|断开|連線失敗|连接失败|无法连接|接続(?:を|が)?(?:拒否|できま|失敗)|연결.{0,10}(?:거부|실패|끊)|verweigert|Verbindung.{0,30}(?:fehlgeschlagen|getrennt|geschlossen)"
        r"|connexion.{0,20}(?:refusée|perdue|fermée|impossible)|conexi[oó]n.{0,20}(?:rechazada|denegada|perdida|cerrada)|conex[aã]o.{0,20}(?:recusada|perdida|fechada)"
        r"|отказано в (?:соединении|подключении)|(?:соединение|подключение).{0,20}(?:разорвано|потеряно|закрыто|не удалось|отклонено)|connessione.{0,20}(?:rifiutata|persa|chiusa)|bağlantı.{0,20}(?:reddedildi|kesildi)|połączen\w+.{0,20}(?:odrzucone|utracon)",
        T.LOST,
        shared=True,
    ),
)
"""Shared words; the last rows of the table."""

TROUBLE: Final = (
    r"(?i)\berr(?:or|no)?\b|error|exception|fail|panic|fatal|critical|severe|denied|refus|reject|abort|unavailable|unable|cannot|can't"
    r"|could not|couldn't|timed? ?out|lost|broken|\bdown\b|out of memory|too many|超时|异常|異常|失败|失敗|错误|錯誤|拒绝|断开|エラー|例外|タイムアウト|できません"
    r"|오류|실패|예외|시간 ?초과|Fehler|fehlgeschlagen|verweigert|Zeitüberschreitung|erreur|échec|échou|impossible|refusée|fall[oó]|rechazad|no se pudo"
    r"|erro\b|falha|recusad|não foi possível|ошибк|сбой|отказ|не удалось|таймаут|errore|fallit|rifiutat|hata\b|başarısız|błąd|nie udało|feil\b|fel\b|fout\b|misluk"
)
"""Words of trouble in a line that names a store; they make a line "unclear", never more."""
